@echo off
rem Runs Ocellus with the Java runtime that lies beside it.
setlocal
set "app=%~dp0..\app"
"%~dp0..\runtime\bin\java.exe" "-XX:SharedArchiveFile=%app%\ocellus.jsa" -Xlog:disable "-Xlog:all=error,aot*=off,cds*=off:stderr" @FLAGS@ %OCELLUS_JAVA_OPTS% -jar "%app%\ocellus.jar" %*
exit /b %ERRORLEVEL%
